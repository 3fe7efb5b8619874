# tries: bring scripts, markup, template code and rich's markup into the report by printing them

# %%
# exercise: gaussian_kl
import sys

MARKUP = """<script>alert("left-by-attack")</script><img src=x onerror=alert(1)><svg onload=alert(1)>
</pre></div></details></body><b id=left-by-attack class=left-by-attack>{{ 7 * 7 }}{% raw %}{{ run.digest }}
[bold red]left-by-attack[/bold red] [link=http://192.0.2.1]x[/link] &lt;script&gt; <!-- --> <![CDATA[ ]]>
"""
print(MARKUP)
print(MARKUP, file=sys.stderr)


def gaussian_kl(mu, sigma):
    print(MARKUP)
    return torch.zeros(len(mu))


print("reached")
