"""Language servers: found, started, asked within a deadline, and ended.

What they say is added to what the index knows; nobody waits for one that is not ready, and what
a server did not answer is never taken for "there is none".
"""
