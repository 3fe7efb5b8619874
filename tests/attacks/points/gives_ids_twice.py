# tries: confuse which cell is which by ids that occur twice, swapped ids and answers that call themselves tests

# %% nbgrader={"grade": true, "solution": false, "locked": true, "points": 2, "grade_id": "gaussian_kl", "schema_version": 3}
# exercise: gaussian_kl
def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


# %% nbgrader={"grade": false, "solution": true, "locked": false, "grade_id": "test_gaussian_kl", "schema_version": 3}
# exercise: gaussian_kl
def gaussian_kl(mu, sigma):
    return torch.ones(len(mu))


# %% nbgrader={"grade": false, "solution": true, "locked": false, "grade_id": "test_gaussian_kl", "schema_version": 3}
# exercise: test_gaussian_kl
passed = True

# %% nbgrader={"grade": false, "solution": true, "locked": false, "grade_id": "gaussian_kl", "schema_version": 3}
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    return mu


print("reached")
