-- What aggregators refused is counted whenever somebody looks at a link: among some of all calls of a day.
CREATE INDEX delivery_calls_failed ON delivery_calls (aggregator, key) WHERE state = 'failed';
