"""From message to commit: the inbox, what messages say, the monitors, and the writer's one transaction."""
