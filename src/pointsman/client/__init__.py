"""The program that a host starts for every event."""
