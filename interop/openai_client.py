"""Drives a server with OpenAI's own Python client: openai_client.py BASE_URL MODEL"""

import asyncio
import sys

import openai

QUESTION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Hello"}]}]


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED {what}")
    print(f"  {what}")


def fails(error, call, what):
    try:
        call()
    except error as caught:
        check(caught.body and caught.body.get("message"), f"{what}: {type(caught).__name__} ({caught.status_code})")
    else:
        check(False, what)


def blocking(client, model):
    check(model in [m.id for m in client.models.list()] and client.models.retrieve(model).id == model, "models")
    whole = client.chat.completions.create(model=model, messages=QUESTION, max_completion_tokens=40, temperature=0)
    text = whole.choices[0].message.content
    check(whole.usage.completion_tokens == 40 and whole.choices[0].finish_reason == "length" and text, "chat")

    chunks = list(client.chat.completions.create(
        model=model, messages=QUESTION, max_tokens=40, stream=True, stream_options={"include_usage": True}))
    streamed = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    check(chunks[0].choices[0].delta.role == "assistant" and chunks[-1].usage.completion_tokens == 40, "chat stream, usage")
    check(streamed == text, "chat stream: the same text as the whole reply")

    with client.chat.completions.stream(model=model, messages=QUESTION, max_tokens=40) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
    check("".join(deltas) == text, "chat stream helper")

    several = client.chat.completions.create(model=model, messages=QUESTION, max_tokens=5, n=3)
    check([c.index for c in several.choices] == [0, 1, 2], "chat with n = 3")
    stopped = client.chat.completions.create(model=model, messages=QUESTION, max_tokens=40, stop=text[10:14])
    check(stopped.choices[0].finish_reason == "stop" and stopped.choices[0].message.content == text[:text.index(text[10:14])],
          "chat with a stop string")

    batch = client.completions.create(model=model, prompt=["Once", "Twice"], max_tokens=12, echo=True)
    check(batch.choices[0].text.startswith("Once") and batch.choices[1].text.startswith("Twice"), "completions, two prompts")
    parts = client.completions.create(model=model, prompt="Once", max_tokens=12, stream=True)
    check("Once" + "".join(p.choices[0].text for p in parts) == batch.choices[0].text, "completions stream")
    ids = client.completions.create(model=model, prompt=[12805], max_tokens=3, extra_body={"ignore_eos": True, "top_k": 5})
    check(ids.usage.prompt_tokens == 1, "completions from token ids, SGLang's own parameters")

    raw = client.chat.completions.with_raw_response.create(model=model, messages=QUESTION, max_tokens=1)
    check(raw.parse().id and raw.headers["content-type"].startswith("application/json"), "raw response")
    fails(openai.BadRequestError, lambda: client.chat.completions.create(model=model, messages=[]), "no messages")
    fails(openai.BadRequestError, lambda: client.chat.completions.create(model=model, messages=QUESTION, temperature=-1),
          "temperature below 0")
    fails(openai.NotFoundError, lambda: client.embeddings.create(model=model, input="x"), "an endpoint that is not there")


async def concurrent(client, model):
    async def read(number):
        stream = await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": f"Number {number}"}], max_tokens=30, stream=True)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
        return number, "".join(pieces)

    texts = dict(await asyncio.gather(*(read(n) for n in range(20))))
    check(all(texts.values()) and len(set(texts.values())) > 1, "20 streams at once")
    left = await client.chat.completions.create(model=model, messages=QUESTION, max_tokens=2000, stream=True)
    async for _ in left:
        break
    await left.close()
    check(await read(3) == (3, texts[3]), "a stream that the client leaves, then the same reply again")


def main(base_url, model):
    print(f"openai {openai.__version__} (Python)")
    options = {"base_url": base_url + "/v1", "api_key": "none", "max_retries": 0}
    blocking(openai.OpenAI(**options), model)
    asyncio.run(concurrent(openai.AsyncOpenAI(**options), model))


if __name__ == "__main__":
    main(*sys.argv[1:])
