"""What helps where a balancer tears sessions apart, for a person to copy."""

LOST_AFFINITY = """\
Why: the server gives out a session id in its answer to `initialize`, and keeps the session in the
memory of one process. The balancer sends the next request to another one, which answers 404.

What does not help: `hash $http_mcp_session_id` in nginx. The first request carries no session id
yet, so it goes anywhere; the id is made up by whichever process got it; the hash of that id then
points to the right process only by luck (measured with two: 9 of 20 sessions held). A cookie does
not help clients that keep none. Source addresses do, but put all clients behind one NAT on one
process.

What does, the best first:

1. No sessions at all: a server of the protocol revision 2026-07-28 has none (Python SDK mcp >= 2,
   FastMCP >= 4, and clients that speak it). Any balancer will do.
2. A server without sessions in the old protocol: FastMCP(..., stateless_http=True). It can then ask
   nothing back (no sampling, elicitation or progress outside of a request).
3. HAProxy, which learns the id from the answer and finds the process again by the request:

   backend mcp
     balance roundrobin
     stick-table type string len 128 size 100k expire 30m
     stick store-response res.hdr(Mcp-Session-Id)
     stick match req.hdr(Mcp-Session-Id)
     server a 127.0.0.1:8001 check
     server b 127.0.0.1:8002 check

A session still ends with its process; a client has to begin a new one on 404 (docs/mcp-health.md).
"""
