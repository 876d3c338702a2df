"""Networks, and their way to files that faceshard runs."""
