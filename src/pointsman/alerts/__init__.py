"""The life of alerts: when one begins, becomes worse, is passed on and ends; whom it is told."""
