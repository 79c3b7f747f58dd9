"""What messages cost: prices, what is posted of a message, and how it is shared among calls."""
