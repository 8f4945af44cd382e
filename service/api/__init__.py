"""The API: what operators and programs see of a service over HTTP, in a process of its own."""
