# tries: hand in test and answer cells whose metadata promise more points

# %% nbgrader={"grade": true, "solution": true, "locked": false, "points": 1000, "grade_id": "gaussian_kl", "schema_version": 3}
# exercise: gaussian_kl
def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


# %% nbgrader={"grade": true, "solution": false, "locked": true, "points": 1000, "grade_id": "test_gaussian_kl", "schema_version": 3}
zero, one = torch.zeros(4, 3), torch.ones(4, 3)

# %% nbgrader={"grade": true, "solution": false, "locked": true, "points": 1e308, "grade_id": "test_bonus", "schema_version": 3}
bonus = 1

# %% nbgrader={"grade": false, "solution": true, "points": -5, "grade_id": "reparameterize", "schema_version": 3}
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    return mu


print("reached")
