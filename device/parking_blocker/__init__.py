"""The blocker's own program: a motorised barrier that obeys the `barrier` shadow and never rises under a car."""

FIRMWARE = "1.1.0"
