"""The platform's own agents: what each of them understands, keeps and answers.

In: messages that the bus hands to `ams`, `df`, `timer` and `topics`. Out: their answers, and rows of what they keep. To
the bus they are agents like all others (`bus/platform_agent.py`); nothing of the bus knows more of them.

- `ams`: the agents of the platform (`white_pages`), their making (`new_agent`) and their lives
- `df`: what agents offer (`directory`), and who wants to hear of it (`subscriptions`)
- `timer`: `timer_wishes`, `cron`, `timer_rows`
- `topics`: publications to whoever subscribed
- what they share: `management_agent`, `subscribing_agent`, `vocabulary`, `content_languages`, and `quotas`
"""
