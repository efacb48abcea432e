"""The contract as the Arrow schemas that it gives."""

from landing.contract import CONTRACT_VERSION, Dataset
from landing.schema import landed_schema, loaded_schema

_HEADER = "Generated from landing/contract.py by `tidemill contract write`; edit the contract instead.\n"


def arrow_schemas(datasets: tuple[Dataset, ...]) -> str:
    """Fields of each dataset's archive objects; those that inbox objects lack are marked."""
    lines = [_HEADER, f"contract version {CONTRACT_VERSION}\n"]
    for dataset in datasets:
        landed = set(landed_schema(dataset).names)
        lines.append(f"\n{dataset.name}\n")
        for field in loaded_schema(dataset):
            required = "" if field.nullable else " not null"
            lines.append(f"    {field.name}: {field.type}{required}{'' if field.name in landed else ', by the load'}\n")
    return "".join(lines)
