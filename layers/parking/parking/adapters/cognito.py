"""The drivers' log-ins in a Cognito user pool."""

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from parking.adapters.aws import CONFIG
from parking.domain.ids import UserId
from parking.services.ports import LoginsUnavailable


class CognitoLogins:
    """Logins. Where drivers sign in by e-mail address, a user's name in the pool is the `sub` of the tokens."""

    def __init__(self, user_pool_id: str) -> None:
        self._client = boto3.client("cognito-idp", config=CONFIG)
        self._user_pool_id = user_pool_id

    def delete(self, user_id: UserId) -> None:
        """Delete a driver's log-in; one that is gone is fine. Raises LoginsUnavailable."""
        try:
            self._client.admin_delete_user(UserPoolId=self._user_pool_id, Username=user_id)
        except self._client.exceptions.UserNotFoundException:
            return
        except (BotoCoreError, ClientError) as error:
            raise LoginsUnavailable("the user pool did not delete a log-in") from error
