"""Forecasts of many daily series at once: sales by branch and by department, with season, events and back-test."""
