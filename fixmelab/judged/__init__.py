"""What serves a judge in the student's process: the probe, the wire and toys."""
