"""What programs written for the package ``varlink`` rely on, through the names of fastvarlink."""
