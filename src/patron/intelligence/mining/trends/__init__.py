"""Loyalty by time series: how long, how firmly and how steadily customers keep buying, and what comes next."""
