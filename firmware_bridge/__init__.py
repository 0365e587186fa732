"""Devices of many vendors, understood: what their messages mean and how their firmware is changed."""
