"""Traffic between clients and a service: passed on, looked at, recorded, played again."""
