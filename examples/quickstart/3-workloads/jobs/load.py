"""Reads the weather records and writes them as an Iceberg table."""

from pyspark.sql import SparkSession, functions as F

SCHEMA = "date string, precipitation double, temp_max double, temp_min double, wind double, weather string"

spark = SparkSession.builder.getOrCreate()
records = spark.read.csv("file:///input/seattle-weather.csv", header=True, schema=SCHEMA)
daily = records.withColumn("date", F.to_date("date", "yyyy/MM/dd"))

spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.weather")
daily.writeTo("lake.weather.daily").using("iceberg").createOrReplace()

print("rows written:", spark.table("lake.weather.daily").count())
spark.stop()
