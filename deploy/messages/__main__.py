"""``make messages``: write the catalogues and report what is still to be translated."""

from deploy.messages.catalogues import LANGUAGES, files_of, is_translated, translated


def main() -> None:
    for language in LANGUAGES:
        for path, content in files_of(language).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        messages = [message for message in translated(language) if message.id]
        empty = sum(not is_translated(message) for message in messages)
        print(f"{language}: {len(messages)} texts, {empty} without a translation")  # noqa: T201


if __name__ == "__main__":
    main()
