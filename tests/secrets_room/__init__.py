"""Not named as its room is: that would hide a module of the standard library."""
