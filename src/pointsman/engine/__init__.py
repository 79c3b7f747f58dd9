"""Select the hooks of an event, run each inside its budget, fold their answers."""
