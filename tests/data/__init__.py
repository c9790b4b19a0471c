"""Tests of image files, data sets and preprocessing."""
