"""Sums the weather up by month on the standing cluster, and writes that as an Iceberg table."""

import csv

from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
with open("/input/seattle-weather.csv", newline="") as file:
    records = [
        (row["date"].replace("/", "-"), float(row["precipitation"]), float(row["temp_max"]))
        for row in csv.DictReader(file)
    ]

daily = spark.createDataFrame(records, "date string, precipitation double, temp_max double")
monthly = (
    daily.repartition(8)
    .groupBy(F.substring("date", 1, 7).alias("month"))
    .agg(
        F.count("*").alias("days"),
        F.round(F.sum("precipitation"), 1).alias("precipitation"),
        F.max("temp_max").alias("temp_max"),
    )
    .orderBy("month")
)

spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.weather")
monthly.writeTo("lake.weather.monthly").using("iceberg").createOrReplace()

print("months written:", spark.table("lake.weather.monthly").count())
spark.stop()
