"""What the word that is being typed may become: on the command line of a shell, and in ``varlink shell``."""
