"""What fails only once it is deployed, found in the files before."""
