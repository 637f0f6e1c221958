"""Foundations without domain words: operations, money, audit, jobs, errors, registries, intake, exports, pages."""
