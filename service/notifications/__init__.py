"""Notifications: people are told of alarms and incidents by mail and chat, with a picture and not too often."""
