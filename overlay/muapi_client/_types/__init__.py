"""Values a user holds: money, costs, statuses, predictions, jobs, stream events, estimates, sandbox verdicts."""
