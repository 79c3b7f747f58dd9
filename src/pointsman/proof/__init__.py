"""What a call has changed in a repository, whoever says what, and how it is put back."""
