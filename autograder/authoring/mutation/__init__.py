"""Mutation testing of the checks: a solution with one small thing changed must lose its point, or be harmless."""
