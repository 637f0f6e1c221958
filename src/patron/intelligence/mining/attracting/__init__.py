"""Who is like those we want? One readable scorecard behind look-alikes, response to a test, and leads."""
