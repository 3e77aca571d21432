"""Black-box tests of the rules that hold on a connection. Each test cites its rule by a marker."""
