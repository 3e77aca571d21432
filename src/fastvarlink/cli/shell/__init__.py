"""``varlink shell``: one service, asked line by line."""
