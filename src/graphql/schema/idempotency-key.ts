/** For the description of the field in the input of a mutation. */
export const idempotencyKeyDescription =
  'A text of your choice for this one request, 1 to 255 characters, such as a UUID. Sent again within 24 hours with the same input, it gets the first result and changes nothing, also where the first answer was lost.';
