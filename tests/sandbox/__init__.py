"""Tests of the kernel's hold on a command."""
