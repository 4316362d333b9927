"""Patches of moto 5.2.1 for the spot market: what the pools of ec2_behaviour.py cost, zone by zone. Importing the module
puts them in force.
"""
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS
from moto.ec2.responses.spot_instances import SpotInstances

from ec2_behaviour import REGION, backend
from ec2_spot import pool_of


# --- The price that holds now, of each type in each zone that offers it, page after page. moto has one price, of 2006.
# (EC2 API Reference, "DescribeSpotPriceHistory")
def describe_spot_price_history(self):
    offered = INSTANCE_TYPE_OFFERINGS['availability-zone'].get(REGION, [])
    zones = {subnet.availability_zone for subnet in backend().get_default_subnets().values()}
    wanted = self._get_param('InstanceTypes', [])
    products = self._get_param('ProductDescriptions', []) or ['Linux/UNIX']
    prices = [
        {
            'InstanceType': it['InstanceType'],
            'ProductDescription': products[0],
            'SpotPrice': f"{pool_of(it['InstanceType'])['price']:.6f}",
            'AvailabilityZone': it['Location'],
            'Timestamp': utcnow(),
        }
        for it in offered
        if it['InstanceType'] in wanted and it['Location'] in zones
    ]
    begin = int(self._get_param('NextToken') or 0)
    end = begin + int(self._get_param('MaxResults') or 1000)
    return ActionResult({'SpotPriceHistory': prices[begin:end], 'NextToken': str(end) if end < len(prices) else ''})


SpotInstances.describe_spot_price_history = describe_spot_price_history
