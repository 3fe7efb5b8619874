# tries: bring scripts into the report by HTML, SVG, JavaScript, Markdown, LaTeX, PDF and iframe displays

# %%
# exercise: gaussian_kl
from IPython.display import HTML, IFrame, JSON, Javascript, Latex, Markdown, SVG, display

SCRIPT = "<script id=left-by-attack>alert(1)</script><a href='javascript:alert(1)'>left-by-attack</a>"
display(HTML(SCRIPT))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script id='left-by-attack'>alert(1)</script></svg>"))
display(Javascript("alert('left-by-attack')"))
display(Markdown(f"{SCRIPT} [x](javascript:alert(1)) ![x](http://192.0.2.1/left-by-attack)"))
display(Latex(r"$\href{javascript:alert(1)}{left-by-attack}\input{/etc/passwd}$"))
display(IFrame("http://192.0.2.1/left-by-attack", 10, 10))
display(JSON({"<script>": SCRIPT}))
display({"text/html": SCRIPT, "application/pdf": "JVBERi0=", "application/x-left-by-attack": SCRIPT}, raw=True)


class Shown:
    def _repr_html_(self):
        return SCRIPT

    def _repr_png_(self):
        return SCRIPT

    def _repr_mimebundle_(self, **options):
        return {"image/png": SCRIPT, "image/svg+xml": SCRIPT}, {"image/png": {"width": SCRIPT}}


def gaussian_kl(mu, sigma):
    display(Shown())
    return torch.zeros(len(mu))


display(Shown())
print("reached")
Shown()
