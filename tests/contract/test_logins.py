"""The user pool, as MiniStack plays it; in memory it is a set."""

from uuid import uuid4

import boto3
import pytest

from parking.adapters.cognito import CognitoLogins
from parking.domain.ids import UserId
from parking.services.ports import LoginsUnavailable
from tests.contract.emulators import Aws


def test_a_deleted_log_in_is_gone_and_may_be_deleted_again(aws: Aws) -> None:
    cognito = boto3.client("cognito-idp")
    pool_id = cognito.create_user_pool(PoolName="drivers", UsernameAttributes=["email"])["UserPool"]["Id"]
    user = cognito.admin_create_user(UserPoolId=pool_id, Username=f"{uuid4().hex}@example.com")["User"]
    [user_id] = [one["Value"] for one in user["Attributes"] if one["Name"] == "sub"]
    for _ in range(2):
        CognitoLogins(pool_id).delete(UserId(user_id))
    assert cognito.list_users(UserPoolId=pool_id)["Users"] == []


def test_a_pool_that_does_not_answer_is_asked_again(aws: Aws) -> None:
    with pytest.raises(LoginsUnavailable):
        CognitoLogins("eu-central-1_nowhere").delete(UserId("somebody"))
