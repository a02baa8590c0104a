-- What accounts have taken of their budgets of requests. One row for an account and a budget, written
-- anew in each window, and only by accounts that take more than a small part of it.
CREATE TABLE request_budgets (
    committee_id UUID NOT NULL,
    user_id UUID NOT NULL,
    budget TEXT NOT NULL,
    -- The window that `taken` belongs to.
    window_at TIMESTAMPTZ NOT NULL,
    -- Requests that the instances have taken for themselves.
    taken INTEGER NOT NULL,
    CONSTRAINT request_budgets_pkey PRIMARY KEY (committee_id, user_id, budget),
    CONSTRAINT request_budgets_user_fkey FOREIGN KEY (committee_id, user_id) REFERENCES users (committee_id, id)
);
