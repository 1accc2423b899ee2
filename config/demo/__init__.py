"""The demo: a lived-in year of one district, set around 20 November 2023, without a single person's name.

Every figure is made up (示例) and the same on every run and database: what looks random is drawn from a hash of words
(`chance`). What happens is done by the floors' own deeds on the day it happened (`institutions.clock.at`).
"""
