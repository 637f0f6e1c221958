"""Vouchers and coupons: what they are worth, who has them, and their use at the till."""
