"""The usage: which of MuAPI's operations a code base calls, read from its syntax trees."""
