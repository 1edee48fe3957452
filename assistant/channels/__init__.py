"""The channels that people reach the assistant on.

`turns` plays one turn so that it is never silent and never late, `reading` makes what was written safe to
hand to Rasa, `forgetting` deletes a conversation, `accounts` hides who somebody is on Telegram or Slack, and
`handled` knows what was taken already. Each other module is a channel; what begins with `telegram_` is a
part of one. Nothing that a person wrote is ever
logged here.
"""
