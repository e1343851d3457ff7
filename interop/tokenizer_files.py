"""Writes the server's vocabulary as a Hugging Face tokenizer, for clients that want one.

    tokenizer_files.py JTOKKIT_JAR DIR

The vocabulary (cl100k_base) is the one that the jtokkit library carries, so it is that of the server to the token.
"""

import os
import sys
import tempfile
import zipfile

from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import TikTokenConverter

SPECIAL_TOKENS = {"<|endoftext|>": 100257, "<|fim_prefix|>": 100258, "<|fim_middle|>": 100259, "<|fim_suffix|>": 100260}
RANKS = "cl100k_base.tiktoken"
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
           r"\s*[\r\n]+|\s+(?!\S)|\s+")


def main(jar, folder):
    with zipfile.ZipFile(jar) as archive, tempfile.TemporaryDirectory() as scratch:
        name = next(n for n in archive.namelist() if n.endswith(RANKS))
        ranks = os.path.join(scratch, RANKS)
        with open(ranks, "wb") as file:
            file.write(archive.read(name))
        converted = TikTokenConverter(vocab_file=ranks, pattern=PATTERN).converted()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=converted, eos_token="<|endoftext|>")
    tokenizer.save_pretrained(folder)
    print(f"{len(tokenizer)} tokens in {folder}")


if __name__ == "__main__":
    main(*sys.argv[1:])
