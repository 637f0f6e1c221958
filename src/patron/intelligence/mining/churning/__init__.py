"""Churn: which customers will stop buying, learned from those who did, judged by date."""
