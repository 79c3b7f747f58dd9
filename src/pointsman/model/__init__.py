"""What is said: events, decisions, hooks, budgets, contracts, errors. Values only."""
