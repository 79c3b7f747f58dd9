"""The terminal view of what agents do now (``pointsman watch``); reads the record alone."""
