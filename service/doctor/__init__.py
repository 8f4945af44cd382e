"""The doctor: what is wrong with a service and what surrounds it, and how to mend it; a file a subject."""
