"""What a file of branches may hold."""

from zoneinfo import available_timezones

from django.utils.translation import gettext_lazy as _

from patron.core.accounts.loading import apply_branches, count_known_branches
from patron.kernel.intake.contract import Importer, ImportField, Treatment, importers

FIELDS = (
    ImportField("code", _("Branch code"), required=True, max_length=40, aliases=(
        "id", "branch id", "branch no", "store id", "store code", "store no", "shop id", "分店編號", "門市代號", "店號",
        "分店编号", "门店编号", "店号",
    )),
    ImportField("name", _("Branch name"), max_length=200, aliases=(
        "branch", "store", "store name", "shop", "分店", "分店名稱", "門市", "店名", "分店名称", "门店", "门店名称",
    )),
    ImportField("address", _("Address"), max_length=400, aliases=("street", "地址")),
    ImportField("city", _("City"), max_length=100, aliases=("town", "城市")),
    ImportField("country", _("Country (two letters)"), max_length=2, aliases=("country code", "國家", "国家")),
    ImportField("latitude", _("Latitude"), aliases=("lat", "緯度", "纬度")),
    ImportField("longitude", _("Longitude"), aliases=("lon", "lng", "long", "經度", "经度")),
    ImportField("time_zone", _("Time zone"), max_length=60, aliases=("timezone", "tz", "時區", "时区")),
    ImportField("phone", _("Phone"), max_length=40, aliases=("telephone", "tel", "電話", "电话")),
)  # fmt: skip

_ZONES = ", ".join(f"'{zone}'" for zone in sorted(available_timezones()))

TREATMENTS = (
    Treatment(
        "not_on_earth", _("Coordinates that are nowhere on earth: left out"), "fix", column="latitude",
        condition="(latitude IS NOT NULL AND coalesce(abs(TRY_CAST(latitude AS DOUBLE)), 91) > 90) "
        "OR (longitude IS NOT NULL AND coalesce(abs(TRY_CAST(longitude AS DOUBLE)), 181) > 180)",
        fixes={"latitude": "NULL", "longitude": "NULL"},
    ),
    Treatment(
        "unknown_zone", _("Unknown time zone: the organisation's is taken"), "fix", column="time_zone",
        condition=f"time_zone NOT IN ({_ZONES})", fixes={"time_zone": "NULL"},
    ),
)  # fmt: skip

importers.register(
    Importer(
        name="branches",
        label=_("Branches"),
        things=_("branches"),
        permission="accounts.manage",
        fields=FIELDS,
        treatments=TREATMENTS,
        unique=("code",),
        sort_by=("row_no",),
        apply=apply_branches,
        count_known=count_known_branches,
    )
)
